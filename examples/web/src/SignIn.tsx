import { useState } from 'react';

import { useAction } from './actions.ts';
import { useIdentity } from './identity.tsx';
import { Problem } from './Problem.tsx';

export function SignIn() {
  const { person, signIn, signOut } = useIdentity();
  const [email, setEmail] = useState('');
  const entering = useAction(signIn);

  if (person !== null) {
    return (
      <p className="who">
        <span>{person.email}</span>
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </p>
    );
  }
  return (
    <form
      className="who"
      onSubmit={(event) => {
        event.preventDefault();
        void entering.run(email);
      }}
    >
      <label>
        Email
        <input
          type="email"
          required
          autoComplete="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </label>
      <button disabled={entering.busy}>Sign in</button>
      <Problem of={entering.error} />
    </form>
  );
}
