// The other end of a benchmark: listens where it is told, takes every connection, and keeps it until its peer closes.
//   hold LIST      LIST: lines of "address port"
// Prints one line when it listens.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// Descriptors of listeners come first, and are never closed.
static int last_listener;

static void watch(int watched, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  epoll_ctl(watched, EPOLL_CTL_ADD, fd, &event);
}

static int listen_at(const char *address, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &at.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  return fd >= 0 && bind(fd, (void *)&at, sizeof at) == 0 && listen(fd, 4096) == 0 ? fd : -1;
}

static void serve(int watched, int fd) {
  char unread[4096];
  if (fd > last_listener) {
    ssize_t length = read(fd, unread, sizeof unread);
    if (length == 0 || (length < 0 && errno != EAGAIN)) close(fd);
    return;
  }
  for (int taken; (taken = accept4(fd, 0, 0, SOCK_NONBLOCK)) >= 0;) watch(watched, taken);
}

int main(int count, char **words) {
  FILE *list = count == 2 ? fopen(words[1], "r") : NULL;
  if (!list) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int watched = epoll_create1(0), port;
  char address[64];
  while (fscanf(list, "%63s %d", address, &port) == 2) {
    if ((last_listener = listen_at(address, port)) < 0) {
      fprintf(stderr, "%s:%d: ", address, port);
      perror("listen");
      return 1;
    }
    watch(watched, last_listener);
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[512];
    int ready = epoll_wait(watched, events, 512, -1);
    for (int number = 0; number < ready; number++) serve(watched, events[number].data.fd);
  }
}
