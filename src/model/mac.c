/* SPDX-License-Identifier: Apache-2.0
 * MAC addresses that follow from an id. */
#include "model/mac.h"

struct mac model_make_mac(uuid id, const char *role)
{
	uuid hash = uuid_v5(id, str_from(role));
	return (struct mac){{2, hash.b[0], hash.b[1], hash.b[2], hash.b[3], hash.b[4]}};
}
