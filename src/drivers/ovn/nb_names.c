/* SPDX-License-Identifier: Apache-2.0
 * Names and addresses that follow from UUIDs alone (nb.h). */
#include <stdio.h>

#include "drivers/ovn/nb.h"

char *nb_write_hex(const char *prefix, uuid id, char out[static NB_NAME_SIZE])
{
	int n = snprintf(out, NB_NAME_SIZE, "%s", prefix);
	for (size_t k = 0; k < sizeof id.b; k++)
		n += snprintf(out + n, NB_NAME_SIZE - (size_t) n, "%02x", id.b[k]);
	return out;
}

char *nb_write_name(const char *prefix, uuid id, char out[static NB_NAME_SIZE])
{
	char text[UUID_TEXT_SIZE];
	snprintf(out, NB_NAME_SIZE, "%s%s", prefix, uuid_write(id, text));
	return out;
}

struct mac nb_make_mac(uuid id, const char *role)
{
	uuid hash = uuid_v5(id, str_from(role));
	return (struct mac){{2, hash.b[0], hash.b[1], hash.b[2], hash.b[3], hash.b[4]}};
}

uuid nb_dns_id(uuid router)
{
	return uuid_v5(router, STR("dns"));
}
