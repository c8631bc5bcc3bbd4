import { describe, expect, it } from 'vitest'
import { absoluteUri } from '../../src/kernel/fields.ts'
import { policySource } from '../../src/kernel/origins.ts'

describe('an address in a content security policy', () => {
  it.each([
    ['https://shop.example/cb?x=1', 'https://shop.example'],
    ['https://shop.example:8443/cb', 'https://shop.example:8443'],
    ['http://[::1]:9999/cb', 'http://[::1]:9999'],
    ['http://127.0.0.1:9999/cb', 'http://127.0.0.1:9999'],
    ['com.example.app:/cb', 'com.example.app:'],
  ])('of %s is %s', (address, source) => {
    expect(policySource(address)).toBe(source)
  })

  it.each([
    'https://a;sandbox.evil.example/cb',
    "https://a'unsafe-inline'.example/cb",
    'https://a,b.example/cb',
    'https://$&.example/cb',
    'https://*.example/cb',
    'not an address',
  ])('is none for %s', (address) => {
    expect(policySource(address)).toBeUndefined()
  })

  it.each(['https://a;sandbox.evil.example/cb', 'https://a,b.example/cb', "https://a'b.example/"])(
    'is not taken from a client: %s',
    (address) => {
      expect(absoluteUri.safeParse(address).success).toBe(false)
    },
  )
})
