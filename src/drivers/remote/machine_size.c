/* SPDX-License-Identifier: Apache-2.0
 * Sizes as types: see machine_size.h. */
#include "drivers/remote/machine_size.h"

struct str machine_size_write(struct ctx *c, int64_t vcpus, int64_t mib)
{
	return vcpus > 0 && mib > 0 ? str_print(c->arena, "%lldx%lld", (long long) vcpus, (long long) mib)
				    : STR_NONE;
}

RESULT machine_size_parse(struct ctx *c, const char *cloud, struct str text, int64_t *ret_vcpus,
			  int64_t *ret_mib)
{
	struct str rest = text, vcpus = STR_NONE;
	bool is_size = str_split_next(&rest, 'x', &vcpus) && result_is_ok(str_parse_int(vcpus, ret_vcpus)) &&
		       result_is_ok(str_parse_int(rest, ret_mib)) && *ret_vcpus > 0 &&
		       *ret_vcpus <= MACHINE_VCPUS_MAX && *ret_mib > 0 && *ret_mib <= MACHINE_MIB_MAX;
	/* one way of writing a size alone, because the type is compared with the machine's */
	is_size = is_size && str_equal(text, machine_size_write(c, *ret_vcpus, *ret_mib));
	return is_size ? OK
		       : ctx_fail(c, ERR_INVALID,
				  "A type of %s is a number of processors and MiB of memory, such as "
				  "2x4096.",
				  cloud);
}
