// A page has loaded when its frames have. Where one hangs, or scripts do not run, the page goes on by itself.
const leave = () => location.replace(document.querySelector('a[data-continue]').href)

if (document.readyState === 'complete') leave()
else addEventListener('load', leave)
