jar single test soak run clean:
	./build.sh $@

.PHONY: jar single test soak run clean
