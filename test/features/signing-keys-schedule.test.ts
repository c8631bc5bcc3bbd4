import { describe, expect, it } from 'vitest'
import { algorithms, dueSteps, type SigningKey } from '../../src/features/signing-keys/signing-keys.ts'

const schedule = { rotationSeconds: 1_000, publishSeconds: 100, retentionSeconds: 500 }
const start = new Date('2026-01-01T00:00:00Z')
const at = (seconds: number): Date => new Date(start.getTime() + seconds * 1000)

const active = (algorithm: SigningKey['algorithm'], since = 0): SigningKey => ({
  kid: `${algorithm}-active`,
  algorithm,
  state: 'active',
  createdAt: at(since),
  activatedAt: at(since),
  retiredAt: undefined,
})
const next = (algorithm: SigningKey['algorithm'], since: number): SigningKey => ({
  kid: `${algorithm}-next`,
  algorithm,
  state: 'next',
  createdAt: at(since),
  activatedAt: undefined,
  retiredAt: undefined,
})
const retired = (algorithm: SigningKey['algorithm'], since: number): SigningKey => ({
  kid: `${algorithm}-retired`,
  algorithm,
  state: 'retired',
  createdAt: at(0),
  activatedAt: at(0),
  retiredAt: at(since),
})
const all = algorithms.map((algorithm) => active(algorithm))
const others = all.filter(({ algorithm }) => algorithm !== 'RS256')

describe('the schedule of signing keys', () => {
  it.each([
    [
      'makes a key for each algorithm at first',
      [],
      0,
      algorithms.map((algorithm) => ({ do: 'create', algorithm, state: 'active' })),
    ],
    ['makes the one that is missing', others, 0, [{ do: 'create', algorithm: 'RS256', state: 'active' }]],
    ['does nothing meanwhile', all, 899, []],
    [
      'publishes the next before it is needed',
      all,
      900,
      algorithms.map((algorithm) => ({ do: 'create', algorithm, state: 'next' })),
    ],
    [
      'waits until the next has been published long enough',
      [active('RS256'), next('RS256', 900), ...others.map((key) => ({ ...key, activatedAt: at(900) }))],
      999,
      [],
    ],
    [
      'lets the next sign',
      [active('RS256'), next('RS256', 900), ...others.map((key) => ({ ...key, activatedAt: at(900) }))],
      1_000,
      [{ do: 'activate', kid: 'RS256-next', retire: 'RS256-active' }],
    ],
    [
      'waits for a next that came late',
      [active('RS256'), next('RS256', 1_500), ...others.map((key) => ({ ...key, activatedAt: at(1_500) }))],
      1_599,
      [],
    ],
    [
      'lets the next sign where none does',
      [next('RS256', 0), ...others],
      0,
      [{ do: 'activate', kid: 'RS256-next', retire: undefined }],
    ],
    ['keeps what it signed with verifiable', [...all, retired('RS256', 100)], 599, []],
    ['removes it then', [...all, retired('RS256', 100)], 600, [{ do: 'remove', kid: 'RS256-retired' }]],
  ])('%s', (_what, keys, seconds, steps) => {
    expect(dueSteps(keys as readonly SigningKey[], at(seconds), schedule)).toEqual(steps)
  })
})
