package serve;

/** The style sheet of {@link StatusPage}. */
final class StatusStyle {
    static final String CSS = """
            :root {
              color-scheme: light dark;
              --ink: light-dark(#1c2330, #e4e8ee);
              --dim: light-dark(#5b6675, #9aa6b6);
              --card: light-dark(#fff, #1a2028);
              --line: light-dark(#dfe3e8, #2d3641);
              --hue: light-dark(#2563c9, #79a8ff);
              --good: light-dark(#136c37, #5bd08f);
              --bad: light-dark(#b3261e, #ff8f85);
            }
            body {
              max-width: 90rem; margin: 0 auto; padding: 1rem;
              color: var(--ink); background: light-dark(#f4f5f7, #11151a);
              font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums;
              overflow-wrap: anywhere;
            }
            h1, h2, p { margin: 0 }
            h1 { font-size: 1.4rem }
            h2, summary { font-size: .9rem; font-weight: 600 }
            h2 { margin-bottom: .25rem }
            summary { cursor: pointer }
            header { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline }
            small, th, .dim, dt { color: var(--dim); font-size: .8rem; font-weight: 400 }
            .good { color: var(--good) }
            .bad { color: var(--bad) }
            .number, time { white-space: nowrap }
            #state, .pill { font-weight: 600 }
            .pill { font-size: .8rem; padding: 0 .5rem; white-space: nowrap }
            .pill { border: 1px solid; border-radius: 1rem }

            .grid {
              display: grid; gap: .6rem; margin: .6rem 0;
              grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
            }
            section, #counts > div {
              padding: .6rem .8rem; min-width: 0;
              background: var(--card); border: 1px solid var(--line); border-radius: 6px;
            }
            section { margin: .6rem 0 }
            .grid > section { margin: 0 }
            [hidden] { display: none !important }

            #totals { grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)) }
            #counts { grid-template-columns: repeat(8, 1fr) }
            #counts b { display: block; font-size: 1.3rem; white-space: nowrap }

            .chart { display: grid; grid-template-columns: auto 1fr; gap: 0 .4rem }
            .scale { display: flex; flex-direction: column; text-align: right }
            .scale, .times { justify-content: space-between }
            .times { grid-column: 2; display: flex }
            svg { display: block; width: 100%; height: 4.5rem }
            svg { border: solid var(--line); border-width: 1px 0 }
            rect { fill: var(--hue) }
            line { stroke: var(--ink); stroke-dasharray: 4 4; vector-effect: non-scaling-stroke }

            button { font: inherit; color: var(--hue); background: none; cursor: pointer }
            button { border: 1px solid var(--line); border-radius: 6px; padding: 0 .6rem }
            button:focus-visible { outline: 2px solid var(--hue) }
            .line { display: flex; flex-wrap: wrap; gap: .1rem .6rem; margin: .3rem 0; align-items: start }
            .line small { flex: 0 0 100% }
            code { flex: 1; min-width: 0; font: 13px/1.5 ui-monospace, monospace }

            table { width: 100%; border-collapse: collapse }
            th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top }
            td { border-top: 1px solid var(--line) }
            :is(th, td).number { text-align: right }
            :is(th, td):last-child { padding-right: 0 }
            td.why { border: 0; padding-top: 0 }
            .id { font: 12px/1.7 ui-monospace, monospace; color: var(--dim); white-space: nowrap }
            .backend { padding: .3rem 0 }
            .backend + .backend { border-top: 1px solid var(--line) }
            .backend p { margin-top: .1rem }
            .run { display: flex; flex-wrap: wrap; gap: 0 .8rem; padding: .15rem 0 }
            .run span, .at { white-space: nowrap }

            @media (max-width: 75rem) { /* each request is a card, with the columns' names in it */
              #counts { grid-template-columns: repeat(4, 1fr) }
              #last thead { display: none }
              #last :is(table, tbody) { display: block }
              #last tr { display: flex; flex-wrap: wrap; gap: 0 .9rem; padding: .3rem 0 }
              #last tr:not(.why) { border-top: 1px solid var(--line) }
              #last tr.why { padding-top: 0 }
              #last td { padding: 0; border: 0; text-align: left }
              #last td:empty { display: none }
              #last .model { flex: 1 0 100%; order: -1; font-weight: 600 }
              #last td[data-name]::before { content: attr(data-name) " " }
              #last td[data-name]::before { color: var(--dim); font-size: .8rem }
              #last td:is(.model, .time, .status)::before { content: none }
            }
            @media (max-width: 40rem) {
              body { padding: .6rem; font-size: 14px }
              #counts { gap: .3rem }
              #counts > div { padding: .3rem .4rem; font-size: .75rem; line-height: 1.3 }
              #counts b { font-size: 1rem }
              #last :is(.id, .optional) { display: none }
              .run b { flex-basis: 100% }
              .totals :is(th, td) { padding-right: .5rem }
              .totals .at { display: none }
              .totals td[data-at]::after { content: " at " attr(data-at); color: var(--dim) }
              svg { height: 3.5rem }
            }
            """;

    private StatusStyle() { }
}
