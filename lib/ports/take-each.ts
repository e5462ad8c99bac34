import type { Counters, Place, Taking, WantedPlace } from './counters.js'

/**
 * What `Counters.takeAll` does, for counters without it: one call for each place, in parallel.
 *
 * @throws what a counter of a place that is not optional rejects with; none is taken then
 */
export async function takeEach(
  counters: Pick<Counters, 'counter'>,
  wanted: readonly WantedPlace[],
  back: readonly Place[],
): Promise<readonly Taking[]> {
  const giveBack = ({ name, seconds, key }: Place) => counters.counter(name, seconds).giveBack(key)
  const take = ({ name, seconds, key, limit }: WantedPlace) =>
    counters.counter(name, seconds).take(key, limit)
  // A place that cannot be given back is lost, which harms nobody.
  const given = Promise.allSettled(back.map(giveBack))
  const answers = new Map<WantedPlace, Taking>()
  const isRefused = (place: WantedPlace) =>
    place.optional !== true && answers.get(place)?.taken !== true
  const giveAllBack = () =>
    Promise.allSettled(wanted.filter((place) => answers.get(place)?.taken).map(giveBack))
  for (const together of [wanted.filter(isFirst), wanted.filter((place) => !isFirst(place))]) {
    const failures: unknown[] = []
    const takeOne = async (place: WantedPlace) => {
      try {
        answers.set(place, await take(place))
      } catch (error) {
        if (place.optional !== true) failures.push(error)
      }
    }
    await Promise.all(together.map(takeOne))
    if (failures.length > 0) {
      await giveAllBack()
      throw failures[0]
    }
    if (together.some(isRefused)) break
  }
  await given
  const all = wanted.map((place) => answers.get(place) ?? NOT_ASKED)
  if (!wanted.some(isRefused)) return all
  await giveAllBack()
  return all.map((taking) => (taking.taken ? NOT_ASKED : taking))
}

const NOT_ASKED: Taking = { taken: false, left: 0, retryAfter: 0 }

function isFirst({ first }: WantedPlace): boolean {
  return first === true
}
