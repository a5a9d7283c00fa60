import { Identified } from './identity.tsx';
import { Marketplace } from './marketplace/Marketplace.tsx';
import { Mentor } from './mentor/Mentor.tsx';
import { SignIn } from './SignIn.tsx';

const PAGES = [
  { path: '/', title: 'Agents for hire', Page: Marketplace },
  { path: '/mentor', title: 'A mentor', Page: Mentor },
] as const;

export function App() {
  const here = PAGES.find((page) => page.path === location.pathname) ?? PAGES[0];
  document.title = `${here.title} – a product on Stead`;
  return (
    <Identified>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <nav aria-label="Pages">
          {PAGES.map((page) => (
            <a key={page.path} href={page.path} aria-current={page === here ? 'page' : undefined}>
              {page.title}
            </a>
          ))}
        </nav>
        <SignIn />
      </header>
      <main id="main" tabIndex={-1}>
        <h1>{here.title}</h1>
        <here.Page />
      </main>
    </Identified>
  );
}
