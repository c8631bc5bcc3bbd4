import type { Config } from './config/config.ts'
import type { Brand } from './pages/index.ts'

/** How the installation presents itself, from its settings. */
export const brandOf = ({ server: { brandName, brandAccent, brandLogoUrl } }: Config): Brand => ({
  name: brandName,
  ...(brandAccent && { accent: brandAccent }),
  ...(brandLogoUrl && { logoUrl: brandLogoUrl }),
})
