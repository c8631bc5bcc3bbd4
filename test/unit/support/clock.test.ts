import { expect, it } from 'vitest'
import { fixedClock } from '../../support/clock.ts'

it('stands still until it is advanced', () => {
  const clock = fixedClock(new Date('2026-03-01T00:00:00Z'))
  const before = clock.now()
  clock.advance(90)
  expect(before).toEqual(new Date('2026-03-01T00:00:00Z'))
  expect(clock.now()).toEqual(new Date('2026-03-01T00:01:30Z'))
})

it('cannot be changed through an instant it gave out', () => {
  const clock = fixedClock()
  const before = clock.now().getTime()
  clock.now().setTime(0)
  expect(clock.now().getTime()).toBe(before)
})
