import { readFileSync } from 'node:fs'

/** What the kernel accounts to a process, all its threads together. */
export interface Usage {
  readonly cpuUs: number
  readonly rssMb: number
  /** Highest resident memory since the start. */
  readonly peakRssMb: number
}

/** USER_HZ is 100 in every Linux ABI Node runs on. */
const tickUs = 10_000

/** Reads `/proc`; undefined where there is none (then CPU and memory are not reported). */
export function readUsage(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return {
      cpuUs: (Number(fields[11]) + Number(fields[12])) * tickUs,
      rssMb: kilobytes(status, 'VmRSS') / 1024,
      peakRssMb: kilobytes(status, 'VmHWM') / 1024,
    }
  } catch {
    return undefined
  }
}

function kilobytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1])
}

/** CPU microseconds all processes of the machine have used since it started; undefined without `/proc`. */
export function readMachineCpuUs(): number | undefined {
  try {
    const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
      .split(/\s+/, 8)
      .map(Number)
    return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * tickUs
  } catch {
    return undefined
  }
}
