// One call with got: node got.mjs default|more
import got from 'got';

const options = {
  default: {},
  more: { retry: { limit: 4 } },
}[process.argv[2]];

try {
  const response = await got(`${process.env.DUCKLOAD_BASE_URL}/beak/metrics`, {
    headers: { authorization: `Bearer ${process.env.DUCKLOAD_KEY}` },
    ...options,
  });
  console.log(response.statusCode);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
