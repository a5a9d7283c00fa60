import { useEffect, useRef, useState } from 'react';

import { useAction } from '../actions.ts';
import { Heading } from '../Heading.tsx';
import { Problem } from '../Problem.tsx';
import { QUESTIONS, type Question } from './questions.ts';

interface QuestionsProps {
  step: number;
  onView: (question: Question, step: number) => void;
  onAnswer: (question: Question, step: number, answer: string) => Promise<void>;
  onSkip: () => void;
}

/** One question at a time. */
export function Questions({ step, onView, onAnswer, onSkip }: QuestionsProps) {
  const question = QUESTIONS[step]!;
  const [answer, setAnswer] = useState('');
  const answering = useAction(async () => {
    await onAnswer(question, step, answer.trim());
    setAnswer('');
  });
  const viewed = useRef(-1);
  useEffect(() => {
    if (viewed.current === step) return;
    viewed.current = step;
    onView(question, step);
  });

  return (
    <form
      className="fields"
      aria-label="Questions"
      onSubmit={(event) => {
        event.preventDefault();
        if (answer.trim() !== '') void answering.run();
      }}
    >
      <Heading key={step} focus>
        Question {step + 1} of {QUESTIONS.length}
      </Heading>
      {question.choices ? (
        <fieldset>
          <legend>{question.label}</legend>
          {question.choices.map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name={question.name}
                required
                checked={answer === choice}
                onChange={() => setAnswer(choice)}
              />
              {choice}
            </label>
          ))}
        </fieldset>
      ) : (
        <label>
          {question.label}
          <input
            key={question.name}
            type={question.stepType}
            required
            min={0}
            maxLength={1000}
            value={answer}
            onChange={(event) => setAnswer(event.target.value)}
          />
        </label>
      )}
      <Problem of={answering.error} />
      <p className="choices">
        <button disabled={answering.busy}>Next</button>
        <button type="button" onClick={onSkip}>
          Go straight to the chat
        </button>
      </p>
    </form>
  );
}
