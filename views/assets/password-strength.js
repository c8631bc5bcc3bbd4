// What is typed stays here until it is sent. This is an estimate; the server knows the long lists and decides.
const common =
  'password passwort motdepasse contrasena senha parola wachtwoord haslo welcome willkommen letmein admin login master secret geheim default guest access shadow dragon monkey sunshine princess football baseball soccer superman batman starwars pokemon michael jessica charlie daniel thomas iloveyou loveyou love baby flower summer winter spring autumn sommer monday hello hallo bonjour trustno whatever freedom computer internet google facebook killer ninja cookie chocolate banana golden diamond liverpool berlin family forever friends abcd'.split(
    ' ',
  )
const rows = ['qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm', '1234567890']
const leet = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' }

/** Bits that somebody has to guess who knows how people choose: each find is taken out, the rest is counted by kind. */
function bitsOf(password, personal) {
  let bits = 0
  let rest = password.normalize('NFKC').toLowerCase()
  const take = (found, worth) => {
    bits += worth
    rest = rest.replace(found, '\0')
  }
  for (const word of personal) if (rest.includes(word)) take(word, 2)
  rest = rest.replace(/(.)\1{2,}|(.{2,}?)\2+/gu, (_, sign, block) => {
    bits += 2
    return sign ?? block
  })
  const plain = rest.replace(/[013457@$!]/g, (sign) => leet[sign])
  for (const word of common) {
    const at = plain.indexOf(word)
    if (at >= 0 && !rest.slice(at, at + word.length).includes('\0')) take(rest.slice(at, at + word.length), 6)
  }
  for (const row of rows.flatMap((each) => [each, [...each].reverse().join('')]))
    for (let length = row.length; length >= 3; length -= 1)
      for (let at = 0; at + length <= row.length; at += 1)
        if (rest.includes(row.slice(at, at + length))) take(row.slice(at, at + length), 4)
  for (const [year] of rest.matchAll(/(?:19|20)\d\d/g)) take(year, 6)
  for (const [run] of rest.matchAll(/\p{L}+|\p{N}+|[^\p{L}\p{N}\0]/gu)) {
    const length = [...run].length
    if (/\p{L}/u.test(run)) bits += Math.min(4.7 * length, 11 + 0.4 * length)
    else bits += /\p{N}/u.test(run) ? 3.3 * length : run === ' ' ? 1 : 4
  }
  return bits
}

const limits = [28, 38, 50]

for (const box of document.querySelectorAll('[data-strength]')) {
  const input = document.getElementById(box.dataset.strength)
  const words = box.dataset.words.split('|')
  let timer
  const personal = () =>
    [...input.form.elements]
      .filter(({ type }) => type === 'text' || type === 'email')
      .flatMap(({ value }) => value.toLowerCase().split(/[\s@._-]+/))
      .filter((word) => word.length > 2)
  const show = () => {
    const { value } = input
    const level =
      [...value].length < Number(box.dataset.minimum)
        ? 0
        : 1 + limits.filter((limit) => bitsOf(value, personal()) >= limit).length
    box.hidden = value === ''
    box.querySelector('meter').value = level
    const text = value === '' ? '' : words[level]
    // Spoken when the typing pauses, and only what has changed.
    clearTimeout(timer)
    timer = setTimeout(() => {
      const told = box.querySelector('[role="status"]')
      if (told.textContent !== text) told.textContent = text
    }, 400)
  }
  input.addEventListener('input', show)
}
