/* SPDX-License-Identifier: Apache-2.0
 * dari: the control plane and its commands in one binary. */
#include "daemon/command.h"
#include "store/sql.h"

int main(int argc, char **argv)
{
	sql_set_program(DARI_VERSION);
	return client_main(argc, argv);
}
