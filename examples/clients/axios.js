// One call with axios and axios-retry: node axios.js default|exponential
'use strict';

const axios = require('axios');
const { default: axiosRetry, exponentialDelay } = require('axios-retry');

const client = axios.create({
  baseURL: process.env.DUCKLOAD_BASE_URL,
  headers: { Authorization: `Bearer ${process.env.DUCKLOAD_KEY}` },
});
axiosRetry(client, {
  default: {},
  exponential: { retries: 5, retryDelay: exponentialDelay },
}[process.argv[2]]);

client.get('/beak/metrics').then(
  (response) => console.log(response.status),
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
