"""One call with requests and urllib3's Retry: python3 requests_retry.py default|backoff"""

import os
import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

session = requests.Session()
if sys.argv[1] == "backoff":
    retry = Retry(total=4, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504])
    session.mount("http://", HTTPAdapter(max_retries=retry))
session.headers["Authorization"] = "Bearer " + os.environ["DUCKLOAD_KEY"]
try:
    answer = session.get(os.environ["DUCKLOAD_BASE_URL"] + "/beak/metrics", timeout=20)
    answer.raise_for_status()
except requests.RequestException as problem:
    sys.exit(str(problem))
