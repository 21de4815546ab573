/* Preloaded, it takes away all handlers that would run at a fork: what pthread_atfork calls. */
int __register_atfork(void) {
    return 0;
}
