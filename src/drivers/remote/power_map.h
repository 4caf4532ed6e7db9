/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: states of machines that a cloud lists apart from the machines. Kept with the connection
 * during a listing; one thread at a time. Machines are known by a hash, which is enough for a state that is seen again
 * soon. */
#pragma once

#include "base/str.h"

enum { POWER_MAP_MAX = 100000 };

struct power_entry {
	uint64_t hash; /* 0: free */
	int power;
};
struct power_map {
	struct power_entry *at; /* owned */
	size_t count, capacity;
};

/* The map of r's connection. */
struct remote;
struct power_map *remote_power_map(const struct remote *r);
/* False: out of memory. Beyond POWER_MAP_MAX machines are ignored. */
bool power_map_put(struct power_map *map, struct str ref, int power);
int power_map_get(const struct power_map *map, struct str ref); /* -1: unknown */
void power_map_clear(struct power_map *map);                    /* frees it, too */
