// Before a picture is sent that would only be refused.
for (const input of document.querySelectorAll('input[data-maximum]')) {
  input.addEventListener('change', () => {
    const isTooLarge = input.files[0]?.size > Number(input.dataset.maximum)
    input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : '')
    input.reportValidity()
  })
}
