/** A QR code to draw as an SVG: squares of 1 by 1 on a field of `size`, its quiet zone included (ISO/IEC 18004 §9.1). */
export interface QrPicture {
  readonly size: number
  /** Through the middle of the dark squares, to be drawn by a stroke of width 1. */
  readonly path: string
}

const quietZone = 4

/** The library, which also draws what nobody asks for, is loaded when the first app is added. */
export async function qrPicture(text: string): Promise<QrPicture> {
  const { create } = await import('qrcode')
  const { modules } = create(text, { errorCorrectionLevel: 'M' })
  const rows = Array.from({ length: modules.size }, (_, row) =>
    Array.from({ length: modules.size }, (_, column) => modules.get(row, column) !== 0),
  )
  const path = rows.map((row, y) => lineOf(row, y + quietZone)).join('')
  return { size: modules.size + 2 * quietZone, path }
}

/** Each run of dark squares as one line, reached from the end of the one before. */
function lineOf(row: readonly boolean[], y: number): string {
  let end = 0
  return runsOf(row)
    .map(({ start, length }, index) => {
      const move = index === 0 ? `M${start + quietZone} ${y}.5` : `m${start - end} 0`
      end = start + length
      return `${move}h${length}`
    })
    .join('')
}

function runsOf(row: readonly boolean[]): readonly { readonly start: number; readonly length: number }[] {
  const starts = row.flatMap((dark, x) => (dark && row[x - 1] !== true ? [x] : []))
  return starts.map((start) => {
    const end = row.indexOf(false, start)
    return { start, length: (end === -1 ? row.length : end) - start }
  })
}
