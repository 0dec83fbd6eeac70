// A server behind express-rate-limit, with a limiter for each path that
// limiters.json names. Its argument is the port.
'use strict';

const express = require('express');
const { rateLimit } = require('express-rate-limit');

const app = express();
for (const [path, options] of Object.entries(require('./limiters.json'))) {
  app.get(path, rateLimit(options), (request, response) => response.send('ok\n'));
}
app.listen(Number(process.argv[2]), '127.0.0.1', (error) => {
  if (error) throw error;
});
