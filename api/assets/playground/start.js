// Starts GraphiQL against the address this page came from. The session cookie is sent by itself; an Authorization
// header from the headers editor goes with queries as a header and with subscriptions in the connection's first message.
(function () {
  "use strict";

  const url = new URL("/api/graphql", window.location.href);
  const socketUrl = new URL(url);
  socketUrl.protocol = url.protocol === "https:" ? "wss:" : "ws:";

  const fetcher = GraphiQL.createFetcher({
    url: url.href,
    subscriptionUrl: socketUrl.href,
    headers: { Accept: "application/graphql-response+json, application/json" },
  });

  const greeting = [
    "# Welcome to goldshop's API.",
    "#",
    "# The book at the top left opens the documentation of every type and field.",
    '# Sign in with the `login` mutation, or put { "Authorization": "Bearer …" } into Headers below.',
    "# Ctrl-Space completes, Ctrl-Enter runs.",
    "",
    "query Hello {",
    "  __typename",
    "}",
    "",
  ].join("\n");

  const root = ReactDOM.createRoot(document.getElementById("playground"));
  root.render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultQuery: greeting,
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: false,
    }),
  );
})();
