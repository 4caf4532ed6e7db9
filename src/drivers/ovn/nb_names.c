/* SPDX-License-Identifier: Apache-2.0
 * Names and addresses derived from UUIDs (nb.h). */
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

uuid nb_dns_id(uuid router)
{
	return uuid_v5(router, STR("dns"));
}
