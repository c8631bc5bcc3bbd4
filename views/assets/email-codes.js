// The person has pressed the button of the link already.
const button = document.querySelector('button[data-goes-on]')
button?.form.requestSubmit(button)
