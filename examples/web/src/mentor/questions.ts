// What the mentor asks first. Answers are kept in the session's context, where `/api/generate` reads them at once;
// each one is remembered too.

export interface Question {
  section: string;
  name: string;
  label: string;
  stepType: 'text' | 'number' | 'choice';
  choices?: readonly string[];
}

export type Context = Record<string, unknown>;

export const QUESTIONS: readonly Question[] = [
  { section: 'pricing', name: 'dayRate', label: 'What do you charge for a day?', stepType: 'text' },
  { section: 'bookings', name: 'daysAMonth', label: 'How many days a month are you booked?', stepType: 'number' },
  {
    section: 'pricing',
    name: 'blocker',
    label: 'What keeps you from charging more?',
    stepType: 'choice',
    choices: ['I might lose clients', 'I do not know how to say it', 'Nothing, I raised my prices'],
  },
];

/** An update of the context, which Stead merges into what it has. */
export const patchOf = ({ section, name }: Question, answer: string): Context => ({ [section]: { [name]: answer } });

/** The context with that answer, as Stead has it then. */
export const answeredIn = (context: Context, { section, name }: Question, answer: string): Context => ({
  ...context,
  [section]: { ...inside(context, section), [name]: answer },
});

export function answerIn(context: Context, { section, name }: Question): string | null {
  const answer = inside(context, section)[name];
  return typeof answer === 'string' ? answer : null;
}

/** The first question without an answer, on whichever device the others were given; -1: there is none. */
export const nextOf = (context: Context): number =>
  QUESTIONS.findIndex((question) => answerIn(context, question) === null);

function inside(context: Context, section: string): Context {
  const found = context[section];
  return typeof found === 'object' && found !== null ? (found as Context) : {};
}
