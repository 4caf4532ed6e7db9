/* SPDX-License-Identifier: Apache-2.0
 * dari: the control plane and its commands in one binary. */
#include "daemon/command.h"

int main(int argc, char **argv)
{
	return client_main(argc, argv);
}
