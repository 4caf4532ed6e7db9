/* SPDX-License-Identifier: Apache-2.0
 * Bytes that the cache of whole answers may take: for all, and for callers of one account. Fifty users in turn fit, each
 * with a list of a hundred machines. */
#pragma once

enum { RESPONSE_CACHE_SIZE = 32 * 1024 * 1024, RESPONSE_CACHE_SHARE = RESPONSE_CACHE_SIZE / 4 };
