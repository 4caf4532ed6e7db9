/* SPDX-License-Identifier: Apache-2.0
 * Sends bytes from inside a guest and prints the answer in hexadecimal: what BusyBox has no word for.
 *     probe udp|tcp SOURCE ADDRESS PORT HEX      SOURCE: 0.0.0.0 or an address to speak from
 * Built statically by the tests and copied into the guest. Exit status 1: no answer within 3 s. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	unsigned char bytes[2048];
	size_t size = strlen(argv[5]) / 2;
	for (size_t k = 0; k < size && k < sizeof bytes; k++) {
		char pair[3] = {argv[5][2 * k], argv[5][2 * k + 1], 0};
		bytes[k] = (unsigned char) strtoul(pair, NULL, 16);
	}
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(argv[2])};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(argv[3])};
	to.sin_port = htons((unsigned short) strtoul(argv[4], NULL, 10));
	int fd = socket(AF_INET, strcmp(argv[1], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM, 0);
	struct timeval limit = {.tv_sec = 3};
	(void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (bind(fd, (struct sockaddr *) &from, sizeof from) ||
	    connect(fd, (struct sockaddr *) &to, sizeof to) || write(fd, bytes, size) != (ssize_t) size)
		return 1;
	ssize_t n = read(fd, bytes, sizeof bytes);
	for (ssize_t k = 0; k < n; k++)
		printf("%02x", bytes[k]);
	return n > 0 ? 0 : 1;
}
