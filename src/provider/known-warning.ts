// The library warns at import about every Node without an LTS name, which the builds that npm carries never have. This
// product is tested on the Node that it brings along, so that one line is left out; everything else is printed.
const { warn } = console
console.warn = (...args: unknown[]): void => {
  if (!String(args[0]).includes('oidc-provider WARNING: Unsupported runtime')) warn(...args)
}
