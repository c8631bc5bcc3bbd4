/** A QR code as a picture, large enough for a camera across a room. The library is loaded when the first one is asked for. */
export async function qrPicture(text: string, format: 'svg' | 'png'): Promise<string | Buffer> {
  const { default: qrcode } = await import('qrcode')
  const options = { errorCorrectionLevel: 'M', margin: 4 } as const
  return format === 'svg'
    ? await qrcode.toString(text, { ...options, type: 'svg' })
    : await qrcode.toBuffer(text, { ...options, scale: 8 })
}
