/* SPDX-License-Identifier: Apache-2.0
 * Addresses of machines during a listing: see address_map.h. Open addressing, with several entries of one hash. */
#include "drivers/remote/address_map.h"

#include "base/hash.h"
#include "base/heap.h"

enum { FIRST_CAPACITY = 256 };

static uint64_t hash_of(struct str text)
{
	uint64_t hash = 0;
	for (size_t k = 0; k < text.n; k++)
		hash = hash_add(hash, (unsigned char) text.p[k]);
	return hash ? hash : 1;
}

static void insert(struct address_map *map, struct address_entry entry)
{
	size_t k = entry.hash & (map->capacity - 1);
	while (map->at[k].hash)
		k = (k + 1) & (map->capacity - 1);
	map->at[k] = entry;
}

static bool grow(struct address_map *map)
{
	struct address_map larger = {.count = map->count,
				     .capacity = map->capacity ? 2 * map->capacity : FIRST_CAPACITY};
	larger.at = heap_alloc_array(larger.capacity, sizeof *larger.at);
	if (!larger.at)
		return false;
	for (size_t k = 0; k < map->capacity; k++)
		if (map->at[k].hash)
			insert(&larger, map->at[k]);
	heap_free(map->at);
	*map = larger;
	return true;
}

bool address_map_put(struct address_map *map, struct str text, struct ip ip, bool is_public)
{
	if (map->count == ADDRESS_MAP_MAX)
		return true;
	if (2 * map->count >= map->capacity && !grow(map))
		return false;
	map->count++;
	insert(map, (struct address_entry){hash_of(text), ip, is_public});
	return true;
}

const struct address_entry *address_map_get(const struct address_map *map, struct str text, size_t n)
{
	uint64_t hash = hash_of(text);
	size_t k = map->capacity ? hash & (map->capacity - 1) : 0;
	for (; map->capacity && map->at[k].hash; k = (k + 1) & (map->capacity - 1))
		if (map->at[k].hash == hash && n-- == 0)
			return &map->at[k];
	return NULL;
}

void address_map_clear(struct address_map *map)
{
	heap_free(map->at);
	*map = (struct address_map){0};
}
