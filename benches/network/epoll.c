// The plainest fast loop: a socket for each try, all watched by one epoll, closed at its end or when its time is over.
//   epoll LIST IN_FLIGHT MILLISECONDS      LIST: lines of "address port"
// Prints how many were open, closed and silent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct try { int fd; long until; };

static long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int main(int count, char **words) {
  if (count != 4) return 2;
  FILE *list = fopen(words[1], "r");
  int most = atoi(words[2]), wait = atoi(words[3]);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int watched = epoll_create1(0), under_way = 0, more = 1;
  long opened = 0, closed = 0, silent = 0;
  struct try *all = calloc(most, sizeof *all);
  int *unused = malloc(most * sizeof *unused), free_places = most;
  for (int place = 0; place < most; place++) unused[place] = place;
  char address[64];
  int port;
  while (more || under_way) {
    while (more && free_places) {
      if (fscanf(list, "%63s %d", address, &port) != 2) { more = 0; break; }
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
      inet_pton(AF_INET, address, &to.sin_addr);
      int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      if (fd < 0) { perror("socket"); return 1; }
      if (connect(fd, (void *)&to, sizeof to) == 0 || errno != EINPROGRESS) {
        errno == ECONNREFUSED ? closed++ : opened++;
        close(fd);
        continue;
      }
      int place = unused[--free_places];
      struct epoll_event event = {.events = EPOLLOUT, .data.u32 = place};
      all[place] = (struct try){fd, now() + wait};
      epoll_ctl(watched, EPOLL_CTL_ADD, fd, &event);
      under_way++;
    }
    struct epoll_event events[1024];
    int ended = epoll_wait(watched, events, 1024, 10);
    for (int number = 0; number < ended; number++) {
      int place = events[number].data.u32, error = 0;
      socklen_t length = sizeof error;
      getsockopt(all[place].fd, SOL_SOCKET, SO_ERROR, &error, &length);
      error == 0 ? opened++ : closed++;
      struct linger reset = {1, 0};
      setsockopt(all[place].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      close(all[place].fd);
      all[place].fd = 0;
      unused[free_places++] = place;
      under_way--;
    }
    if (ended == 1024) continue;
    long at = now();
    for (int place = 0; place < most; place++) {
      if (!all[place].fd || all[place].until > at) continue;
      silent++;
      close(all[place].fd);
      all[place].fd = 0;
      unused[free_places++] = place;
      under_way--;
    }
  }
  printf("open=%ld closed=%ld silent=%ld\n", opened, closed, silent);
  return 0;
}
