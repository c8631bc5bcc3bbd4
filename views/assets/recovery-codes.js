const acts = {
  copy: async (text, button) => {
    await navigator.clipboard.writeText(text)
    button.closest('[data-codes]').querySelector('[role="status"]').textContent = button.dataset.done
    button.textContent = button.dataset.done
  },
  download: (text, button) => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }))
    link.download = button.closest('[data-codes]').dataset.fileName
    link.click()
    URL.revokeObjectURL(link.href)
  },
  print: () => print(),
}

for (const part of document.querySelectorAll('[data-codes]')) {
  const text = [...part.querySelectorAll('code')].map((code) => code.textContent).join('\n')
  part.querySelector('.codes-acts').hidden = false
  for (const button of part.querySelectorAll('[data-act]'))
    button.addEventListener('click', () => acts[button.dataset.act](text, button))
}
