// A page has loaded when its frames have, and goes on then; where one hangs, after a while. Without scripts it goes on by
// itself, too (Refresh), but as long as a frame hangs only by the link.
const longestMilliseconds = 4_000

const leave = () => location.replace(document.querySelector('a[data-continue]').href)

if (document.readyState === 'complete') leave()
else {
  addEventListener('load', leave)
  setTimeout(leave, longestMilliseconds)
}
