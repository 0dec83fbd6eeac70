// A server behind limiters of npm: express-rate-limit for each path that
// limiters.json names, and others that answer in other ways. Its argument is
// the port.
'use strict';

const express = require('express');
const { rateLimit } = require('express-rate-limit');
const { RateLimiterMemory } = require('rate-limiter-flexible');
const { TokenBucket } = require('limiter');

const app = express();
for (const [path, options] of Object.entries(require('./limiters.json'))) {
  app.get(path, rateLimit(options), (request, response) => response.send('ok\n'));
}

// flexible limits by address and refuses in some way.
function flexible(options, refuse) {
  const limiter = new RateLimiterMemory(options);
  return (request, response) => limiter.consume(request.ip)
    .then(() => response.send('ok\n'), () => refuse(response));
}
app.get('/flexible', flexible({ points: 6, duration: 2 }, (response) => response.status(403).end()));
app.get('/blocking', flexible({ points: 5, duration: 2, blockDuration: 3 }, (response) => response.status(500).end()));

// One bucket for each address; who is refused gets no answer at all.
const buckets = new Map();
app.get('/bucket', (request, response) => {
  if (!buckets.has(request.ip)) {
    const bucket = new TokenBucket({ bucketSize: 5, tokensPerInterval: 4, interval: 'second' });
    bucket.content = 5;
    buckets.set(request.ip, bucket);
  }
  if (buckets.get(request.ip).tryRemoveTokens(1)) {
    response.send('ok\n');
  } else {
    request.socket.destroy();
  }
});

app.listen(Number(process.argv[2]), '127.0.0.1', (error) => {
  if (error) throw error;
});
