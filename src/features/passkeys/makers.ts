import type { Passkey } from './passkeys.ts'

/** What the picture beside a passkey shows. */
export type Kind = 'phone' | 'laptop' | 'key' | 'cloud'

interface Maker {
  readonly name: string
  readonly kind: Kind
}

const windowsHello: Maker = { name: 'Windows Hello', kind: 'laptop' }
const applePasswords: Maker = { name: 'Apple Passwords', kind: 'cloud' }
const yubiKey: Maker = { name: 'YubiKey', kind: 'key' }
const yubicoSecurityKey: Maker = { name: 'Security Key by Yubico', kind: 'key' }

/** By AAGUID (WebAuthn Level 3 §6.5.1). It is what the authenticator says of itself, good for a name and a picture only. */
const makers: Readonly<Record<string, Maker>> = {
  'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4': { name: 'Google Password Manager', kind: 'cloud' },
  'fbfc3007-154e-4ecc-8c0b-6e020557d7bd': applePasswords,
  'dd4ec289-e01d-41c9-bb89-70fa845d4bf2': applePasswords,
  '08987058-cadc-4b81-b6e1-30de50dcbe96': windowsHello,
  '9ddd1817-af5a-4672-a2b9-3e3dd95000a9': windowsHello,
  '6028b017-b1d4-4c02-b4b3-afcdafc96bb2': windowsHello,
  'adce0002-35bc-c60a-648b-0b25f1f05503': { name: 'Chrome on Mac', kind: 'laptop' },
  '771b48fd-d3d4-4f74-9232-fc157ab0507a': { name: 'Edge on Mac', kind: 'laptop' },
  'b5397666-4885-aa6b-cebf-e52262a439a2': { name: 'Chromium', kind: 'laptop' },
  '53414d53-554e-4700-0000-000000000000': { name: 'Samsung Pass', kind: 'phone' },
  'bada5566-a7aa-401f-bd96-45619a55120d': { name: '1Password', kind: 'cloud' },
  'd548826e-79b4-db40-a3d8-11116f7e8349': { name: 'Bitwarden', kind: 'cloud' },
  '531126d6-e717-415c-9320-3d9aa6981239': { name: 'Dashlane', kind: 'cloud' },
  'b84e4048-15dc-4dd0-8640-f4f60813c8af': { name: 'NordPass', kind: 'cloud' },
  '0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6': { name: 'Keeper', kind: 'cloud' },
  'f3809540-7f14-49c1-a8b3-8f813b225541': { name: 'Enpass', kind: 'cloud' },
  'fdb141b2-5d84-443e-8a35-4698c205a502': { name: 'KeePassXC', kind: 'cloud' },
  '50726f74-6f6e-5061-7373-50726f746f6e': { name: 'Proton Pass', kind: 'cloud' },
  'b78a0a55-6ef8-d246-a042-ba0f6d55050c': { name: 'LastPass', kind: 'cloud' },
  'cb69481e-8ff7-4039-93ec-0a2729a154a8': yubiKey,
  'ee882879-721c-4913-9775-3dfcce97072a': yubiKey,
  'fa2b99dc-9e39-4257-8f92-4a30d23c4118': yubiKey,
  '2fc0579f-8113-47ea-b116-bb5a8db9202a': yubiKey,
  'c1f9a0bc-1dd2-404a-b27f-8e29047a43fd': yubiKey,
  '19083c3d-8383-4b18-bc03-8f1c9ab2fd1b': yubiKey,
  'f8a011f3-8c0a-4d15-8006-17111f9edc7d': yubicoSecurityKey,
  '6d44ba9b-f6ec-2e49-b930-0c8fe920cb73': yubicoSecurityKey,
  '42b4fb4a-2866-43b2-9bf7-6c6669c2e5d3': { name: 'Google Titan', kind: 'key' },
}

/** Who made it, where that is known. */
export const makerOf = (aaguid: string): string | undefined => makers[aaguid]?.name

export function kindOf({
  aaguid,
  transports,
  multiDevice,
}: Pick<Passkey, 'aaguid' | 'transports' | 'multiDevice'>): Kind {
  const maker = makers[aaguid]
  if (maker !== undefined) return maker.kind
  const has = (transport: string): boolean => transports.includes(transport)
  if (has('internal')) return multiDevice ? 'cloud' : 'laptop'
  return has('hybrid') || has('cable') ? 'phone' : 'key'
}

/** The first that fits; Android calls itself Linux too, and an iPad that asks for desktop pages a Mac. */
const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'Mac'],
  [/Linux/, 'Linux'],
]

/** Names of makers and systems alone, as they are the same in every language. */
export function nameFor(
  { aaguid, transports }: Pick<Passkey, 'aaguid' | 'transports'>,
  userAgent: string,
): string {
  const maker = makerOf(aaguid)
  if (maker !== undefined) return maker
  const here = transports.includes('internal')
  return (here ? systems.find(([pattern]) => pattern.test(userAgent))?.[1] : undefined) ?? 'Passkey'
}

/** `name`, or with the first free number behind it. */
export function nameBeside(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name
  let number = 2
  while (taken.includes(`${name} ${number}`)) number += 1
  return `${name} ${number}`
}
