import { expect, it } from 'vitest'
import { checkScatter } from './scatter.ts'
import { plantTree } from './tree.ts'

const house = {
  'src/app.ts': `openPasskeys(); openTotp()\n`,
  'src/features/passkeys/index.ts': `export const passkeys = 'webauthn'\n`,
  'src/features/totp/index.ts': `export const totp = 'otpauth://totp'\n`,
  'src/storage/generated/sqlite/client.ts': `passkey totp\n`,
}

it('counts who names a capability outside its folder, and leaves out what is generated', () => {
  expect(checkScatter(plantTree(house))).toEqual({
    faults: [],
    summary: 'passkeys is named by 1 other files, totp is named by 1 other files',
  })
})

it('finds the file that is one too many, whatever it says', () => {
  const root = plantTree({
    ...house,
    'src/definitions.ts': `'passkeys'\n`,
    'src/config/sections.ts': `'PASSKEYS'\n`,
    'src/pages/login/steps.ts': `// WebAuthn is special here\n`,
  })
  expect(checkScatter(root).faults).toEqual([
    'passkeys is named by 4 files outside its folder, more than 3: src/app.ts, src/config/sections.ts, src/definitions.ts, src/pages/login/steps.ts',
  ])
})

it('says so where there is nothing to count', () => {
  expect(checkScatter(plantTree({ 'src/app.ts': '' })).faults).toEqual([
    'src/features/passkeys is missing, so nothing was counted',
    'src/features/totp is missing, so nothing was counted',
  ])
})
