package serve;

import upstream.Upstreams;

/**
 * By what a request is served, from its head to its end, whatever the options are by then: the backends, and
 * the gate by the same options. So a key that let a client in is A2o's own for the whole of its request, and
 * no backend gets it.
 */
record Serving(Upstreams upstreams, Gate gate) { }
