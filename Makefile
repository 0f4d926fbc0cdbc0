jar single bundle deb dist test packages soak clients real bench aot run clean:
	./build.sh $@

.PHONY: jar single bundle deb dist test packages soak clients real bench aot run clean
