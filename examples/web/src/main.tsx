import { createRoot } from 'react-dom/client';

import { App } from './App.tsx';
import { Configured, loadConfig } from './config.tsx';
import './style.css';

const root = createRoot(document.getElementById('root')!);

// No StrictMode: in development it runs effects twice, and a diagnosis would be made twice.
loadConfig().then(
  (config) =>
    root.render(
      <Configured config={config}>
        <App />
      </Configured>,
    ),
  (error: unknown) => root.render(<p role="alert">The configuration cannot be read: {String(error)}</p>),
);
