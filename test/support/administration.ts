/** Administrates a resource as the command line does: what is given is parsed by the definition first. */
import { AppError } from '../../src/kernel/errors.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, type Input, parseCreate, parseInput, parseUpdate } from '../../src/kernel/input.ts'
import type { Outcome, Resource } from '../../src/kernel/resource.ts'

/** `resource` is asked for at each call, so that it may be opened after this. */
export const administration = <Item extends { readonly id: string }>(resource: () => Resource<Item>) => ({
  create: async (input: Input): Promise<Outcome<Item>> =>
    await resource().create(accept(parseCreate(resource().fields, input)), commandLineActor),

  update: async (item: Item, input: Input): Promise<Outcome<Item>> =>
    await resource().update(item, accept(parseUpdate(resource().fields, input)), commandLineActor),

  async act(item: Item, name: string, input: Input = {}): Promise<Outcome<Item>> {
    const action = resource().actions.find((each) => each.name === name)
    if (action === undefined) throw new Error(`There is no action ${name}.`)
    return await action.run(item, accept(parseInput(action.input, input)), commandLineActor)
  },
})

/** The code of the error that the work is refused with. */
export const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : `not an AppError: ${String(error)}`),
  )
