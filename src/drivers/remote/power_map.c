/* SPDX-License-Identifier: Apache-2.0
 * States of machines during a listing: see power_map.h. Open addressing. */
#include "drivers/remote/power_map.h"

#include "base/hash.h"
#include "base/heap.h"

enum { FIRST_CAPACITY = 256 };

static uint64_t hash_of(struct str ref)
{
	uint64_t hash = 0;
	for (size_t k = 0; k < ref.n; k++)
		hash = hash_add(hash, (unsigned char) ref.p[k]);
	return hash ? hash : 1;
}

static struct power_entry *place_of(const struct power_map *map, uint64_t hash)
{
	size_t k = hash & (map->capacity - 1);
	while (map->at[k].hash && map->at[k].hash != hash)
		k = (k + 1) & (map->capacity - 1);
	return &map->at[k];
}

static bool grow(struct power_map *map)
{
	struct power_map larger = {.count = map->count,
				   .capacity = map->capacity ? 2 * map->capacity : FIRST_CAPACITY};
	larger.at = heap_alloc_array(larger.capacity, sizeof *larger.at);
	if (!larger.at)
		return false;
	for (size_t k = 0; k < map->capacity; k++)
		if (map->at[k].hash)
			*place_of(&larger, map->at[k].hash) = map->at[k];
	heap_free(map->at);
	*map = larger;
	return true;
}

bool power_map_put(struct power_map *map, struct str ref, int power)
{
	if (map->count == POWER_MAP_MAX)
		return true;
	if (2 * map->count >= map->capacity && !grow(map))
		return false;
	struct power_entry *entry = place_of(map, hash_of(ref));
	map->count += !entry->hash;
	*entry = (struct power_entry){.hash = hash_of(ref), .power = power};
	return true;
}

int power_map_get(const struct power_map *map, struct str ref)
{
	const struct power_entry *entry = map->capacity ? place_of(map, hash_of(ref)) : NULL;
	return entry && entry->hash ? entry->power : -1;
}

void power_map_clear(struct power_map *map)
{
	heap_free(map->at);
	*map = (struct power_map){0};
}
