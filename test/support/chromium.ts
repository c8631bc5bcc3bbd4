/**
 * The Chromium that npm installed: the binary of `@sparticuz/chromium` with the libraries in its archives and
 * fonts from npm, so that a machine without either shows pages, and all machines show them alike. Unpacked
 * once per version and machine; about three seconds.
 *
 * Fonts: Open Sans, and DejaVu for monospace and for what Open Sans lacks (arrows, check marks, Hebrew,
 * Arabic). There are no emoji and no Chinese, Japanese or Korean.
 */
import { execFile } from 'node:child_process'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { openCacheFolder } from './machine.ts'

export interface InstalledBrowser {
  readonly executablePath: string
  readonly env: Readonly<Record<string, string>>
}

// Where the package's own inflate() unpacks to is os.tmpdir(), hence a process of its own.
const unpack = `
  import { inflate } from '@sparticuz/chromium'
  const archives = ['chromium.br', 'fonts.tar.br', 'al2023.tar.br']
  await Promise.all(archives.map((archive) => inflate(process.argv[1] + '/' + archive)))
`

const prefer = (family: string, font: string) =>
  `<alias binding="strong"><family>${family}</family><prefer><family>${font}</family></prefer></alias>`

const fontSettings = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  ${['system-ui', 'sans-serif', 'serif'].map((family) => prefer(family, 'Open Sans')).join('\n  ')}
  ${['ui-monospace', 'monospace'].map((family) => prefer(family, 'DejaVu Sans Mono')).join('\n  ')}
</fontconfig>
`

const requireFrom = createRequire(import.meta.url)
const chromiumFolder = dirname(dirname(requireFrom.resolve('@sparticuz/chromium')))
const dejavuFolder = dirname(requireFrom.resolve('dejavu-fonts-ttf/package.json'))
const dejavuFonts = ['DejaVuSans', 'DejaVuSans-Bold', 'DejaVuSansMono', 'DejaVuSansMono-Bold']

const fill = async (staging: string): Promise<void> => {
  const args = ['--input-type=module', '--eval', unpack, join(chromiumFolder, 'bin')]
  const env = { ...process.env, TMPDIR: staging, NODE_OPTIONS: '' }
  await promisify(execFile)(process.execPath, args, { cwd: chromiumFolder, env })
  for (const font of dejavuFonts) {
    await copyFile(join(dejavuFolder, 'ttf', `${font}.ttf`), join(staging, 'fonts', `${font}.ttf`))
  }
  await writeFile(join(staging, 'fonts.conf'), fontSettings)
}

const versionIn = async (folder: string): Promise<string> => {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}

/** Throws where the package has no binary for this machine: then only LATCHKEY_TEST_CHROMIUM helps. */
export const openChromium = async (): Promise<InstalledBrowser> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'npm brings a browser for Linux on x64 only. Name a Chrome or Chromium in LATCHKEY_TEST_CHROMIUM.',
    )
  }
  const versions = [await versionIn(chromiumFolder), await versionIn(dejavuFolder)]
  const folder = await openCacheFolder(`chromium-${versions.join('-')}`, fill)
  return {
    executablePath: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  }
}
