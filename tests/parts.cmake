# parts_of_<test>: the service libraries that a test links beside libctibus.
