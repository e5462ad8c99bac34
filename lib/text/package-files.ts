import { existsSync } from 'node:fs'

/**
 * The address of a file that is packed with the code, such as `messages/`, from the package's folder.
 * It is looked for upwards: the published JavaScript is in fewer files than its source.
 */
export function packageFile(path: string): URL {
  return new URL(path, FOLDER)
}

const FOLDER = folderOf(new URL('./', import.meta.url))

function folderOf(folder: URL): URL {
  const above = new URL('../', folder)
  const found = existsSync(new URL('package.json', folder)) || above.href === folder.href
  return found ? folder : folderOf(above)
}
