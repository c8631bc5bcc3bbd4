for (const button of document.querySelectorAll('button[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal)
  const show = (visible) => {
    input.type = visible ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(visible))
  }
  button.hidden = false
  button.addEventListener('click', () => {
    show(input.type === 'password')
    input.focus()
  })
  // A browser that sees a text field go out may offer it later as an ordinary suggestion.
  input.form.addEventListener('submit', () => show(false))
}

// What is downloaded leaves the page as it is, to be asked for again.
for (const form of document.querySelectorAll('form:not([data-download])')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent !== undefined) return event.preventDefault()
    form.dataset.sent = ''
    event.submitter?.setAttribute('aria-busy', 'true')
  })
}

// A page that the back button brings out of the cache can be sent again.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  for (const form of document.forms) delete form.dataset.sent
  for (const button of document.querySelectorAll('[aria-busy]')) button.removeAttribute('aria-busy')
})

for (const time of document.querySelectorAll('time[data-local]')) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: 'long',
    timeStyle: 'short',
  })
  time.textContent = format.format(new Date(time.dateTime))
}

const unattended = document.querySelector('form[data-auto-submit]')
unattended?.requestSubmit(unattended.querySelector('button'))
