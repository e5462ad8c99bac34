/** A cluster of Redis shares out this many hash slots to its masters. */
const SLOTS = 16_384

/** CRC-16/XMODEM, bit by bit: run a few hundred times, at start-up alone. */
function crc16(text: string): number {
  let crc = 0
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 0x8000) === 0 ? (crc << 1) & 0xffff : ((crc << 1) ^ 0x1021) & 0xffff
    }
  }
  return crc
}

/** The slot of every key with this hash tag (what is in the braces). */
export function slotOf(hashTag: string): number {
  return crc16(hashTag) % SLOTS
}

/** The slot of a key: that of its hash tag, where it has one. */
export function slotOfKey(key: string | Buffer): number {
  const text = String(key)
  return slotOf(/\{([^}]+)\}/.exec(text)?.[1] ?? text)
}

/**
 * Hash tags that divide the slots evenly: the slot of the n-th lies in the n-th part of all slots.
 * Masters with equal ranges of slots then have equal numbers of tags, which names by chance would not
 * give them.
 *
 * @returns numbers, each the smallest that lies there
 */
export function evenHashTags(count: number): readonly string[] {
  const found = new Map<number, string>()
  for (let number = 0; found.size < count; number += 1) {
    const tag = String(number)
    const part = Math.floor((slotOf(tag) * count) / SLOTS)
    if (!found.has(part)) found.set(part, tag)
  }
  return Array.from({ length: count }, (_, part) => found.get(part) ?? String(part))
}
