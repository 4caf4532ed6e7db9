/* SPDX-License-Identifier: Apache-2.0
 * Makes an instance's host name from its name. */
#include "engine/instance/host_name.h"

#include "model/id.h"
#include "model/instance.h"

enum { LABEL_MAX = 63 };

/* Maps a character to a DNS label character; 0: leave out. */
static char label_character(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char) (c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return c;
	return c == '-' || c == '_' || c == ' ' || c == '.' ? '-' : 0;
}

struct str engine_make_host_name(struct arena *a, const struct instance *instance, struct ip first)
{
	struct str name = instance->name;
	char *p = arena_alloc(a, name.n + 1);
	size_t n = 0;
	for (size_t k = 0; p && k < name.n && n < LABEL_MAX; k++) {
		char c = label_character(name.p[k]);
		if (c && (n || c != '-'))
			p[n++] = c;
	}
	while (n && p[n - 1] == '-')
		n--;
	if (n)
		return (struct str){p, n};
	if (instance->named_by_id || first.family != IP_V4)
		return id_to_ec2(a, KIND_INSTANCE, instance->row.id);
	return str_print(a, "ip-%u-%u-%u-%u", first.b[0], first.b[1], first.b[2], first.b[3]);
}
