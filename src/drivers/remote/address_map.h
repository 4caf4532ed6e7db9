/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: addresses of machines that a cloud lists apart from the machines. Kept with the connection
 * during a listing; one thread at a time. Texts are known by a hash, which is enough for addresses that are listed again
 * soon. */
#pragma once

#include "base/ip.h"
#include "base/str.h"

enum { ADDRESS_MAP_MAX = 400000 };

struct address_entry {
	uint64_t hash; /* 0: free */
	struct ip ip;
	bool is_public;
};
struct address_map {
	struct address_entry *at; /* owned */
	size_t count, capacity;
};

/* The map of r's connection. */
struct remote;
struct address_map *remote_address_map(const struct remote *r);
/* Adds an address to those of the text, a machine's id or an address's own. False: out of memory. Beyond
 * ADDRESS_MAP_MAX addresses are ignored. */
bool address_map_put(struct address_map *map, struct str text, struct ip ip, bool is_public);
/* The n-th address of the text, from 0; NULL: it has fewer. */
const struct address_entry *address_map_get(const struct address_map *map, struct str text, size_t n);
void address_map_clear(struct address_map *map); /* frees it, too */
