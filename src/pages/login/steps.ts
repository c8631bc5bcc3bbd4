import type { Context } from 'koa'
import type { Factor } from '../../features/feature.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Text, View } from '../../kernel/text.ts'
import type { PendingInteraction } from '../../provider/index.ts'
import type { DeviceCookies } from '../device-cookie.ts'
import type { ClientView, FormState, SignInModel, WayModel } from '../models.ts'
import type { Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { problemOf } from '../problems.ts'
import type { Current, Standing } from './attempt.ts'
import type { Step } from './next-step.ts'

export interface StepPages {
  /** The page of the step at which a sign-in stands. */
  show(ctx: Context, current: Current, shown: Shown): Promise<void>
}

export interface Shown {
  readonly standing: Standing
  /** Of several ways, the one that the person chose. */
  readonly chosen?: string
  /** What was wrong with what was sent. */
  readonly refused?: FormState
}

export interface StepTools {
  readonly ports: PagePorts
  readonly pages: Pages
  readonly devices: DeviceCookies
}

export function openStepPages(tools: StepTools): StepPages {
  const { ports, pages, devices } = tools

  return {
    async show(ctx, current, shown) {
      devices.ensure(ctx)
      const { step, attempt } = shown.standing
      if (step.step === 'prove' && attempt.userId === undefined && shown.chosen === undefined)
        return pages.answer(ctx, 'login/sign-in', await signInModel(ports, current, shown))
      if (step.step === 'prove') return await showFactor(tools, ctx, { current, shown, step })
      if (step.step === 'enrol') return await showEnrolment(tools, ctx, { current, shown, step })
      if (step.step === 'interlude') return await showInterlude(tools, ctx, { current, shown, step })
      throw new AppError('login.nothing_to_show', 500, 'There is nothing left to ask.')
    },
  }
}

interface Showing<Of extends Step['step']> {
  readonly current: Current
  readonly shown: Shown
  readonly step: Extract<Step, { step: Of }>
}

/** The page on which a sign-in begins: every way to begin it, in the order of the factors. */
async function signInModel(
  ports: PagePorts,
  { interaction }: Current,
  { standing: { attempt }, refused }: Shown,
): Promise<SignInModel> {
  const first = inOrder(ports.factors).filter(({ offers }) => offers !== 'second')
  const offered = await Promise.all(
    first.map(async ({ name, ...factor }) => ({ name, part: await factor.first?.(attempt) })),
  )
  const shown = offered.flatMap(({ part }) => part ?? [])
  const main = offered.find(({ part }) => part !== undefined && part.ownForm !== true)
  const path = `/interaction/${interaction.uid}`
  return {
    path: attempt.path,
    action: `${attempt.path}/${main?.name ?? ''}`,
    client: await clientOf(ports, interaction),
    identifier: refused?.values.identifier ?? interaction.loginHint ?? '',
    parts: shown.filter(({ ownForm }) => ownForm !== true).map((part) => completed(part, refused)),
    forms: shown.filter(({ ownForm }) => ownForm === true).map((part) => completed(part, refused)),
    keep: refused === undefined || refused.values.keep === 'yes',
    ...(refused?.problem && { error: refused.problem.text }),
    ...(interaction.direct ? {} : { abortAction: `${path}/abort` }),
    ...(ports.registration.isOpen() && { registerPath: `${path}/register` }),
  }
}

/** What every partial is given beside its own model. */
const completed = ({ template, model }: View, refused: FormState | undefined): View => ({
  template,
  model: {
    ...model,
    values: refused?.values ?? {},
    errors: refused?.problem?.field === undefined ? {} : { [refused.problem.field]: refused.problem.text },
  },
})

const alertOf = (refused: FormState | undefined): { readonly error?: Text } =>
  refused?.problem !== undefined && refused.problem.field === undefined ? { error: refused.problem.text } : {}

async function showFactor(
  { ports, pages }: StepTools,
  ctx: Context,
  { current: { interaction }, shown, step }: Showing<'prove'>,
): Promise<void> {
  const { attempt } = shown.standing
  const factors = usable(ports.factors, step.factors)
  const factor = factors.find(({ name }) => name === shown.chosen) ?? factors[0]
  if (factor === undefined) throw noWay()
  const { view, refused } = await viewOf(ports, () => factor.show?.(attempt), shown.refused)
  pages.answer(ctx, 'login/prove', {
    confirms: step.place === 'first' && attempt.userId !== undefined,
    begins: attempt.userId === undefined,
    action: `${attempt.path}/${factor.name}`,
    client: await clientOf(ports, interaction),
    account: (attempt.userId && (await ports.people.view(attempt.userId))) || undefined,
    part: view && completed(view, refused),
    ways:
      attempt.userId === undefined
        ? [{ label: { key: 'sign-in.begin-again' }, url: attempt.path }]
        : factors.filter((other) => other !== factor).map((other) => wayOf(other, attempt.path)),
    again: factor.start === undefined ? undefined : `${attempt.path}/${factor.name}/start`,
    mayTrust: step.place === 'second' && ports.trustedDevices.offered && attempt.device !== undefined,
    ...alertOf(refused),
    ...(interaction.direct ? {} : { abortAction: `/interaction/${interaction.uid}/abort` }),
    switchAction: `/interaction/${interaction.uid}/switch`,
  })
}

/** A view, or why there is none yet. */
async function viewOf(
  ports: PagePorts,
  show: () => Promise<View | undefined> | undefined,
  refused: FormState | undefined,
): Promise<{ readonly view: View | undefined; readonly refused: FormState | undefined }> {
  try {
    return { view: await show(), refused }
  } catch (error) {
    const problem = problemOf(error, ports.views)
    if (problem === undefined) throw error
    return { view: undefined, refused: refused ?? { problem: { text: problem.text }, values: {} } }
  }
}

/** What has to be sent first is a button; the others are a link away. */
const wayOf = ({ name, start }: Factor, path: string): WayModel => ({
  label: { key: `factor.${name}` },
  ...(start === undefined ? { url: `${path}/${name}` } : { action: `${path}/${name}/start` }),
})

async function showEnrolment(
  { ports, pages }: StepTools,
  ctx: Context,
  { current: { interaction }, shown, step }: Showing<'enrol'>,
): Promise<void> {
  const path = `/interaction/${interaction.uid}`
  const factors = ports.factors.filter(({ name }) => step.factors.includes(name))
  const chosen =
    factors.find(({ name }) => name === shown.chosen) ?? (factors.length === 1 ? factors[0] : undefined)
  const holder = shown.standing.proven?.holder
  if (holder === undefined) throw noWay()
  const { view, refused } = await viewOf(ports, () => chosen?.enrolment?.begin(holder), shown.refused)
  const client = await clientOf(ports, interaction)
  pages.answer(ctx, 'login/enrol', {
    action: chosen === undefined ? '' : `${path}/enrol/${chosen.name}`,
    client,
    part: view && completed(view, refused),
    title: chosen?.enrolment === undefined ? undefined : { key: chosen.enrolment.label },
    ways: inOrder(factors)
      .filter((factor) => factor !== chosen)
      .flatMap(({ name, enrolment }) =>
        enrolment === undefined
          ? []
          : {
              label: { key: enrolment.label },
              hint: { key: `${enrolment.label}-hint` },
              url: `${path}/enrol/${name}`,
            },
      ),
    because: enrolmentReason(step, client),
    ...(step.later && { laterAction: `${path}/later`, laterUntil: step.later.until }),
    abortAction: interaction.direct ? undefined : `${path}/abort`,
    ...alertOf(refused),
  })
}

function enrolmentReason({ later }: Showing<'enrol'>['step'], client: ClientView): Text {
  if (later === undefined) return { key: 'enrol.because-now', params: { client: client.name } }
  if (later.until === undefined) return { key: 'enrol.because-backup' }
  return { key: 'enrol.because-soon', params: { until: later.until } }
}

async function showInterlude(
  { ports, pages }: StepTools,
  ctx: Context,
  { current: { interaction }, shown, step }: Showing<'interlude'>,
): Promise<void> {
  const interlude = ports.interludes.find(({ name }) => name === step.name)
  const { proven } = shown.standing
  if (interlude === undefined || proven === undefined) throw noWay()
  pages.answer(ctx, 'login/interlude', {
    action: `/interaction/${interaction.uid}/then/${interlude.name}`,
    client: await clientOf(ports, interaction),
    part: completed(await interlude.show(proven), shown.refused),
    ...alertOf(shown.refused),
  })
}

const noWay = (): AppError =>
  new AppError(
    'login.no_way',
    409,
    'There is no way left to prove who you are here. Ask your administrator for help.',
  )

const inOrder = (factors: readonly Factor[]): readonly Factor[] =>
  factors.toSorted((a, b) => a.order - b.order)

const usable = (factors: readonly Factor[], names: readonly string[]): readonly Factor[] =>
  names.flatMap((name) => factors.find((factor) => factor.name === name && factor.show !== undefined) ?? [])

export async function clientOf(
  { clients, views }: PagePorts,
  { clientId, direct }: PendingInteraction,
): Promise<ClientView> {
  if (direct) return { name: views.brandName }
  return (await clients.view(clientId)) ?? { name: clientId }
}
